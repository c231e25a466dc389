// Package iso9660 writes and reads ISO 9660 file systems (ECMA-119, 4th
// edition) with Rock Ridge names (IEEE P1282, RRIP 1.10 over SUSP 1.12) and an
// El Torito boot catalog (version 1.0).
//
// Writing has two steps. Plan takes paths and sizes and fixes every sector; it
// is pure. Layout.Write then streams the image in one sequential pass, in
// constant memory, to any io.Writer, and compares each file with the size and
// digest that were announced. One owner (0:0), one mode for files and one for
// directories, one time: the same input gives the same bytes.
//
// Reading (Open) is for media of unknown origin: every structure is checked
// against the medium's size and against fixed limits before it is used.
//
// Left out: Joliet, symbolic links, devices, relocated deep directories, other
// block sizes than 2048, multi-session and interleaved files. The system area
// (MBR, GPT) is the caller's: see package iso, which makes media boot.
package iso9660

// Sizes of the format, bytes.
const (
	SectorSize = 2048
	SystemArea = 16 * SectorSize // before the first descriptor; the caller's
)

const (
	// extentMax is the longest single extent: the largest multiple of a sector
	// that 32 bits hold. Longer files have several records.
	extentMax = 1<<32 - SectorSize
	// bigFile is the size from which data begins on a 4096-byte boundary, so
	// that file systems can share blocks and loop devices read whole pages.
	bigFile  = 64 << 10
	bigAlign = 4096

	nameMax  = 130 // bytes of a name that fits in one directory record
	depthMax = 32  // directories above a file
)
