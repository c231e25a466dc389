package vm

import (
	"bufio"
	"fmt"
	"image"
	"image/png"
	"io"
)

// maxScreen bounds a side of a screen, in pixels.
const maxScreen = 16384

// convertPPM reads a raw portable pixmap (netpbm's P6 with 255 values a colour,
// no comments: what QEMU's screendump writes) and writes PNG.
func convertPPM(r io.Reader, w io.Writer) error {
	in := bufio.NewReader(r)
	var magic string
	var width, height, depth int
	if _, err := fmt.Fscanf(in, "%s\n%d %d\n%d\n", &magic, &width, &height, &depth); err != nil {
		return fmt.Errorf("cannot read the picture's header: %w", err)
	}
	if magic != "P6" || depth != 255 || width < 1 || height < 1 || width > maxScreen || height > maxScreen {
		return fmt.Errorf("cannot read a picture of kind %q, %d x %d, depth %d: need P6, up to %d a side, depth 255", magic, width, height, depth, maxScreen)
	}
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	row := make([]byte, 3*width)
	for y := range height {
		if _, err := io.ReadFull(in, row); err != nil {
			return fmt.Errorf("cannot read row %d of %d: %w", y, height, err)
		}
		line := img.Pix[y*img.Stride:]
		for x := range width {
			copy(line[4*x:], row[3*x:3*x+3])
			line[4*x+3] = 255
		}
	}
	return png.Encode(w, img)
}
