package envelope

import "bytes"

// fewKeys is up to how many names an object is searched one by one; over that
// a map keeps the work linear.
const fewKeys = 16

// keySet finds the duplicate names of one object.
type keySet struct {
	base int // where the object's names start in scanner.keys
	more map[string]struct{}
}

// add reports false if the object has the name already.
func (k *keySet) add(s *scanner, key []byte) bool {
	mine := s.keys[k.base:]
	if len(mine) < fewKeys {
		for _, other := range mine {
			if bytes.Equal(other, key) {
				return false
			}
		}
		s.keys = append(s.keys, key)
		return true
	}
	if k.more == nil {
		k.more = make(map[string]struct{}, 2*fewKeys)
		for _, other := range mine {
			k.more[string(other)] = struct{}{}
		}
	}
	if _, dup := k.more[string(key)]; dup {
		return false
	}
	k.more[string(key)] = struct{}{}
	return true
}
