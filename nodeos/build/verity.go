package build

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
)

// The dm-verity format, version 1 (kernel: Documentation/admin-guide/device-mapper/verity.rst;
// superblock: cryptsetup, docs/on-disk-format of veritysetup(8)): blocks of 4096
// bytes, SHA-256 over salt and block, 128 digests to a block, levels from the
// root down behind a superblock of one block.
const (
	blockSize       = 4096
	digestsPerBlock = blockSize / sha256.Size
)

// verity is the hash tree of data, made in one pass over it.
type verity struct {
	salt   []byte
	uuid   [16]byte
	levels [][]byte // digests of each level, data's own first
	blocks int64
}

// verityOf reads data, whose length must be a multiple of 4096, to its end. Salt
// and UUID are fixed by the caller, so that the tree is too.
func verityOf(data io.Reader, salt []byte, uuid [16]byte) (*verity, error) {
	v := &verity{salt: salt, uuid: uuid, levels: [][]byte{nil}}
	r := bufio.NewReaderSize(data, 1<<20)
	block := make([]byte, blockSize)
	for {
		_, err := io.ReadFull(r, block)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		v.levels[0] = append(v.levels[0], v.hash(block)...)
		v.blocks++
	}
	for top := v.levels[0]; len(top) > sha256.Size; top = v.levels[len(v.levels)-1] {
		var next []byte
		for i := 0; i < len(top); i += blockSize {
			next = append(next, v.hash(padded(top[i:min(i+blockSize, len(top))]))...)
		}
		v.levels = append(v.levels, next)
	}
	return v, nil
}

func (v *verity) hash(block []byte) []byte {
	h := sha256.New()
	h.Write(v.salt)
	h.Write(block)
	return h.Sum(nil)
}

// root is the root hash in hex: the one value that vouches for all of the data.
func (v *verity) root() string { return hex.EncodeToString(v.levels[len(v.levels)-1]) }

// writeTo writes superblock and tree, as they lie behind the data.
func (v *verity) writeTo(w io.Writer) error {
	if _, err := w.Write(v.superblock()); err != nil {
		return err
	}
	// The last level is the root hash itself, which is not stored.
	for i := len(v.levels) - 2; i >= 0; i-- {
		level := v.levels[i]
		if _, err := w.Write(level); err != nil {
			return err
		}
		if rest := len(level) % blockSize; rest > 0 {
			if _, err := w.Write(make([]byte, blockSize-rest)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *verity) superblock() []byte {
	sb := make([]byte, blockSize)
	le := binary.LittleEndian
	copy(sb, "verity\x00\x00")
	le.PutUint32(sb[8:], 1)  // version
	le.PutUint32(sb[12:], 1) // hash type: salt first
	copy(sb[16:], v.uuid[:])
	copy(sb[32:], "sha256")
	le.PutUint32(sb[64:], blockSize)
	le.PutUint32(sb[68:], blockSize)
	le.PutUint64(sb[72:], uint64(v.blocks))
	le.PutUint16(sb[80:], uint16(len(v.salt)))
	copy(sb[88:], v.salt)
	return sb
}

func padded(b []byte) []byte {
	if len(b) == blockSize {
		return b
	}
	return append(append([]byte{}, b...), make([]byte, blockSize-len(b))...)
}
