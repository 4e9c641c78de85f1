package contract_test

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/services/contract"
)

func ok(is bool) contract.Code {
	if is {
		return ""
	}
	return contract.CodeBadFrame
}

func anything(any) contract.Code { return "" }

func text(value any) contract.Code {
	_, is := value.(string)
	return ok(is)
}

func boolean(value any) contract.Code {
	_, is := value.(bool)
	return ok(is)
}

// counter is an integer from least to what JavaScript counts exactly.
func counter(least uint64) rule {
	return func(value any) contract.Code {
		number, is := value.(json.Number)
		if !is {
			return contract.CodeBadFrame
		}
		n, err := strconv.ParseUint(string(number), 10, 64)
		return ok(err == nil && n >= least && n <= contract.MaxSeq)
	}
}

// named is a text of a bounded length that Parley never puts anywhere.
func named(value any) contract.Code { return bounded(value, 1, contract.MaxNameField) }

// roomToken is a text of at most 4 KiB; whether it verifies is judged later.
func roomToken(value any) contract.Code { return bounded(value, 0, 4<<10) }

func bounded(value any, least, most int) contract.Code {
	s, is := value.(string)
	if is && len(s) > most {
		return contract.CodeTooLarge
	}
	return ok(is && len(s) >= least)
}

// hash is 256 bits in base64url.
func hash(value any) contract.Code {
	s, is := value.(string)
	raw, err := base64.RawURLEncoding.DecodeString(s)
	return ok(is && err == nil && len(raw) == 32 && len(s) == 43)
}

func oneOf(allowed ...string) rule {
	return func(value any) contract.Code {
		s, is := value.(string)
		return ok(is && slices.Contains(allowed, s))
	}
}

// id is the name of a room.
func id(value any) contract.Code {
	s, is := value.(string)
	if !is {
		return contract.CodeBadFrame
	}
	if _, err := contract.ParseID(s); err != nil {
		return contract.CodeBadID
	}
	return ""
}

// token is the id of a peer.
func peerToken(value any) contract.Code {
	s, is := value.(string)
	if !is {
		return contract.CodeBadFrame
	}
	if _, err := contract.ParseToken(s); err != nil {
		return contract.CodeBadID
	}
	return ""
}

func list(each rule, least, most int) rule {
	return func(value any) contract.Code {
		elements, is := value.([]any)
		if !is || len(elements) < least || len(elements) > most {
			return contract.CodeBadFrame
		}
		for _, element := range elements {
			if code := each(element); code != "" {
				return code
			}
		}
		return ""
	}
}

func object(fields ...clientField) rule {
	return func(value any) contract.Code {
		members, is := value.(map[string]any)
		if !is {
			return contract.CodeBadFrame
		}
		for _, f := range fields {
			value, there := members[f.name]
			if !there && f.required {
				return contract.CodeBadFrame
			}
			if there {
				if code := f.judge(value); code != "" {
					return code
				}
			}
		}
		return ""
	}
}

// orNull is for the members that browsers write as null.
func orNull(judge rule) rule {
	return func(value any) contract.Code {
		if value == nil {
			return ""
		}
		return judge(value)
	}
}

func candidate(value any) contract.Code {
	code := object(may("candidate", text), may("sdpMid", orNull(text)), may("usernameFragment", orNull(text)),
		may("sdpMLineIndex", orNull(index)))(value)
	if code != "" {
		return code
	}
	c, _ := value.(map[string]any)
	ends := c["candidate"] == nil || c["candidate"] == ""
	return ok(ends || c["sdpMid"] != nil || c["sdpMLineIndex"] != nil)
}

// index is an unsigned short of WebIDL.
func index(value any) contract.Code {
	number, is := value.(json.Number)
	if !is {
		return contract.CodeBadFrame
	}
	_, err := strconv.ParseUint(string(number), 10, 16)
	return ok(err == nil)
}

func describe(kind string) []clientField {
	return []clientField{
		must("room", id), must("to", peerToken), must("negotiation", named),
		must("description", object(must("type", oneOf(kind)), must("sdp", text))), may("traceparent", anything),
	}
}

func rooms(value any) contract.Code {
	members, is := value.(map[string]any)
	if !is {
		return contract.CodeBadFrame
	}
	if len(members) > contract.DefaultLimits().Rooms {
		return contract.CodeTooManyRooms
	}
	for name, room := range members {
		if code := id(name); code != "" {
			return code
		}
		if code := object(must("peer", peerToken), may("cursor", text))(room); code != "" {
			return code
		}
	}
	return ""
}

func oneCandidateField(frame map[string]any) contract.Code {
	_, one := frame["candidate"]
	_, several := frame["candidates"]
	return ok(one != several)
}

func kickNamesPeer(frame map[string]any) contract.Code {
	_, peer := frame["peer"]
	return ok(peer || frame["action"] != "kick")
}

func presenceFits(field string) func(map[string]any) contract.Code {
	return func(frame map[string]any) contract.Code {
		if value, there := frame[field]; there && len(marshal(value)) > contract.DefaultLimits().PresenceBytes {
			return contract.CodeTooLarge
		}
		return ""
	}
}

func partID(value any) contract.Code {
	s, is := value.(string)
	return ok(is && s != "" && len(s) <= contract.MaxPartIDBytes)
}

func number(value any) uint64 {
	text, _ := value.(json.Number)
	n, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

var traceForm = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// wellFormedTrace is a traceparent of W3C Trace Context section 3.2.
func wellFormedTrace(value any) bool {
	s, _ := value.(string)
	return traceForm.MatchString(s) && !strings.HasPrefix(s, "ff") &&
		s[3:35] != strings.Repeat("0", 32) && s[36:52] != strings.Repeat("0", 16)
}
