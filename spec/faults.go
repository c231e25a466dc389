package spec

import "caisson.dev/caisson/internal/fault"

// What can be wrong with a Spec. Each has a page in docs/errors.
var (
	Unreadable     = fault.Define("SPEC-UNREADABLE", fault.Input)
	TooLarge       = fault.Define("SPEC-TOO-LARGE", fault.Input)
	Alias          = fault.Define("SPEC-ALIAS", fault.Input)
	WrongVersion   = fault.Define("SPEC-VERSION", fault.Input)
	UnknownField   = fault.Define("SPEC-UNKNOWN-FIELD", fault.Input)
	DuplicateField = fault.Define("SPEC-DUPLICATE-FIELD", fault.Input)
	WrongType      = fault.Define("SPEC-TYPE", fault.Input)
	Missing        = fault.Define("SPEC-MISSING", fault.Input)
	BadValue       = fault.Define("SPEC-VALUE", fault.Input)
	Conflict       = fault.Define("SPEC-CONFLICT", fault.Input)
	Unsupported    = fault.Define("SPEC-UNSUPPORTED", fault.Input)
	NoFile         = fault.Define("SPEC-NO-FILE", fault.Input)
)

// What can be wrong with Answers.
var (
	AnswersUnreadable = fault.Define("ANSWERS-UNREADABLE", fault.Input)
	AnswersVersion    = fault.Define("ANSWERS-VERSION", fault.Input)
	AnswersField      = fault.Define("ANSWERS-UNKNOWN-FIELD", fault.Input)
	AnswersDuplicate  = fault.Define("ANSWERS-DUPLICATE-FIELD", fault.Input)
	AnswersValue      = fault.Define("ANSWERS-VALUE", fault.Input)
	AnswersConflict   = fault.Define("ANSWERS-CONFLICT", fault.Input)
	AnswersNode       = fault.Define("ANSWERS-NODE", fault.Input)
	AnswersAmbiguous  = fault.Define("ANSWERS-AMBIGUOUS", fault.Input)
	AnswersIncomplete = fault.Define("ANSWERS-INCOMPLETE", fault.Input)
)

// codes are the kinds that one document type uses for the same classes of error.
type codes struct {
	unreadable, tooLarge, alias, version, unknown, duplicate, typ, missing, value, conflict, unsupported fault.Kind
}

var enclaveCodes = codes{Unreadable, TooLarge, Alias, WrongVersion, UnknownField, DuplicateField,
	WrongType, Missing, BadValue, Conflict, Unsupported}

// Answers are short, so that fewer codes say enough.
var answersCodes = codes{AnswersUnreadable, AnswersUnreadable, AnswersUnreadable, AnswersVersion, AnswersField, AnswersDuplicate,
	AnswersValue, AnswersValue, AnswersValue, AnswersConflict, AnswersValue}
