package folder

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"path"
	"strings"

	"caisson.dev/caisson/internal/standin"
	"caisson.dev/caisson/profiles/rancher/release"
)

// bundle is RKE2's: the members that its release lists, below their
// folders, owned by root.
func bundle(v release.Version, program []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	var errs []error
	put := func(name string, mode int64, data []byte) {
		h := &tar.Header{Name: name, Mode: mode, Size: int64(len(data)), Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		errs = append(errs, t.WriteHeader(h))
		_, err := t.Write(data)
		errs = append(errs, err)
	}
	for _, dir := range []string{"bin/", "lib/", "lib/systemd/", "lib/systemd/system/", "share/", "share/rke2/"} {
		put(dir, 0o755, nil)
	}
	for _, m := range release.Members() {
		data := program
		if m.Name != "bin/rke2" {
			data = text(m.Name, v)
		}
		put(m.Name, int64(m.Mode), data)
	}
	errs = append(errs, t.Close(), z.Close())
	return out.Bytes(), errors.Join(errs...)
}

// text is a member that is no program, as far as it is known what it says.
func text(name string, v release.Version) []byte {
	head := "# " + standin.Mark + "\n"
	role := strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "rke2-"), path.Ext(name))
	switch {
	case strings.HasSuffix(name, ".service"):
		return []byte(head + unit(role, v))
	case strings.HasSuffix(name, ".env"):
		return []byte(head + "HOME=/root\n")
	case strings.HasSuffix(name, ".sh"):
		return []byte("#!/bin/sh\n" + head)
	case strings.HasSuffix(name, "sysctl.conf"):
		return []byte(head + "vm.panic_on_oom=0\nvm.overcommit_memory=1\nkernel.panic=10\nkernel.panic_on_oops=1\n")
	}
	return []byte(standin.Mark + "\n")
}

// unit is a unit of RKE2's with the settings that RKE2's own has.
func unit(role string, v release.Version) string {
	other := map[string]string{"server": "agent", "agent": "server"}[role]
	var b strings.Builder
	fmt.Fprintf(&b, "[Unit]\nDescription=stand-in for RKE2 (%s)\nWants=network-online.target\nAfter=network-online.target\n", role)
	if v.Exclusion() == "Conflicts" {
		fmt.Fprintf(&b, "Conflicts=rke2-%s.service\n", other)
	}
	b.WriteString("\n[Install]\nWantedBy=multi-user.target\n\n[Service]\nType=notify\n")
	for _, file := range []string{"/etc/default/%N", "/etc/sysconfig/%N", "/usr/local/lib/systemd/system/%N.env"} {
		b.WriteString("EnvironmentFile=-" + file + "\n")
	}
	b.WriteString("KillMode=process\nDelegate=yes\nLimitNOFILE=1048576\nLimitNPROC=infinity\nLimitCORE=infinity\nTasksMax=infinity\nTimeoutStartSec=0\nRestart=always\nRestartSec=5s\n")
	if v.Exclusion() == "ExecCondition" {
		fmt.Fprintf(&b, "ExecCondition=/bin/sh -c '! systemctl is-active --quiet rke2-%s.service'\n", other)
	}
	if v.RefusesCloudSetup() {
		b.WriteString("ExecStartPre=/bin/sh -xc '! /usr/bin/systemctl is-enabled --quiet nm-cloud-setup.service'\n")
	}
	fmt.Fprintf(&b, "ExecStartPre=-/sbin/modprobe br_netfilter\nExecStartPre=-/sbin/modprobe overlay\nExecStart=/usr/local/bin/rke2 %s\n", role)
	return b.String()
}
