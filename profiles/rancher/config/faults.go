package config

import "caisson.dev/caisson/internal/fault"

var (
	// KeyUnknown: the product passes over the key; no role of it takes it.
	KeyUnknown = fault.Define("RANCHER-KEY-UNKNOWN", fault.Input)
	// KeyRole: the key is not for this role, or does nothing there.
	KeyRole = fault.Define("RANCHER-KEY-ROLE", fault.Input)
	// KeyVersion: another release takes the key, this one does not.
	KeyVersion = fault.Define("RANCHER-KEY-VERSION", fault.Input)
	// KeyNever: no node of an enclave may have the key.
	KeyNever = fault.Define("RANCHER-KEY-NEVER", fault.Input)
	// KeyValue: the product would read another value than the one written, or none.
	KeyValue = fault.Define("RANCHER-KEY-VALUE", fault.Input)
	// KeyConflict: the Spec contradicts what the profile sets.
	KeyConflict = fault.Define("RANCHER-KEY-CONFLICT", fault.Input)
	// KeyUnchecked: unchecked names a key that needs no exception.
	KeyUnchecked = fault.Define("RANCHER-KEY-UNCHECKED", fault.Input)
	// ServersDiffer: two servers would not form one cluster.
	ServersDiffer = fault.Define("RANCHER-SERVERS-DIFFER", fault.Input)
	// Unreadable: a config file is not what the product's reader takes.
	Unreadable = fault.Define("RANCHER-CONFIG-UNREADABLE", fault.Input)
	// ReadsBackWrong: the written file does not say what was to be written.
	ReadsBackWrong = fault.Define("RANCHER-CONFIG-RENDERED", fault.Internal)
)
