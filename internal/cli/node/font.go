package node

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/tui"
)

// font is a Linux console's letters.
type font struct {
	width, height int    // of a letter, in pixels
	letters       int    // 256 or 512
	data          []byte // glyphRows rows for each letter, a row in whole bytes
}

// What the kernel takes (linux/kd.h): a letter's rows, used or not, and the most of
// width and letters.
const (
	glyphRows, glyphWidth, glyphCount = 32, 32, 512

	kdFontOp     = 0x4b72
	opSet, opGet = 0, 1
)

// fontOp is struct console_font_op.
type fontOp struct {
	op, flags, width, height, count uint32
	data                            *byte
}

// doubled is the font with each pixel four times; ok is false if the kernel takes
// none of that size.
func (f font) doubled() (_ font, ok bool) {
	if f.width*2 > glyphWidth || f.height*2 > glyphRows {
		return f, false
	}
	from, to := (f.width+7)/8, (f.width*2+7)/8
	out := font{width: f.width * 2, height: f.height * 2, letters: f.letters, data: make([]byte, f.letters*glyphRows*to)}
	for letter := range f.letters {
		for y := range out.height {
			row := f.data[(letter*glyphRows+y/2)*from:]
			for x := range out.width {
				if row[x/2/8]&(0x80>>(x/2%8)) != 0 {
					out.data[(letter*glyphRows+y)*to+x/8] |= 0x80 >> (x % 8)
				}
			}
		}
	}
	return out, true
}

// fontOf is what a console shows its letters with.
func fontOf(console *os.File) (font, error) {
	data := make([]byte, glyphCount*glyphRows*glyphWidth/8)
	op := fontOp{op: opGet, width: glyphWidth, height: glyphRows, count: glyphCount, data: &data[0]}
	if err := op.run(console); err != nil {
		return font{}, err
	}
	return font{width: int(op.width), height: int(op.height), letters: int(op.count), data: data}, nil
}

// show makes a console show its letters with the font.
func (f font) show(console *os.File) error {
	op := fontOp{op: opSet, width: uint32(f.width), height: uint32(f.height), count: uint32(f.letters), data: &f.data[0]}
	return op.run(console)
}

func (op *fontOp) run(console *os.File) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, console.Fd(), kdFontOp, uintptr(unsafe.Pointer(op)))
	if errno != 0 {
		return errno
	}
	return nil
}

// enlarger makes a console's letters twice as large, or as they were, and says its
// size in letters then. It leaves them where the screens would not fit any more,
// and on a screen that has its letters from the firmware (VGA text).
func enlarger(console *os.File) func(on bool) (width, height int, ok bool) {
	var old *font
	return func(on bool) (int, int, bool) {
		size, err := unix.IoctlGetWinsize(int(console.Fd()), unix.TIOCGWINSZ)
		if err != nil || on == (old != nil) || on && !tui.Fits(int(size.Col)/2, int(size.Row)/2) {
			return 0, 0, false
		}
		next := old
		if on {
			now, err := fontOf(console)
			if err != nil {
				return 0, 0, false
			}
			large, ok := now.doubled()
			if !ok {
				return 0, 0, false
			}
			old, next = &now, &large
		} else {
			old = nil
		}
		if err := next.show(console); err != nil {
			old = nil
			return 0, 0, false
		}
		size, err = unix.IoctlGetWinsize(int(console.Fd()), unix.TIOCGWINSZ)
		return int(size.Col), int(size.Row), err == nil
	}
}
