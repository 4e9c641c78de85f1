package contract_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// statuses is what every code was released with.
var statuses = map[contract.Code]struct {
	status    int
	retryable bool
}{
	"bad_json":            {400, false},
	"bad_frame":           {400, false},
	"unknown_type":        {400, false},
	"bad_id":              {400, false},
	"bad_part":            {400, false},
	"hello_required":      {400, false},
	"seq_hole":            {409, false},
	"bad_token":           {401, false},
	"token_expired":       {401, false},
	"bad_api_key":         {401, false},
	"forbidden":           {403, false},
	"room_not_found":      {404, false},
	"not_in_room":         {404, false},
	"already_joined":      {409, false},
	"peer_gone":           {410, false},
	"bad_description":     {422, false},
	"bad_candidate":       {422, false},
	"glare":               {409, true},
	"too_large":           {413, false},
	"rate_limited":        {429, true},
	"too_many_rooms":      {429, false},
	"too_many_candidates": {429, false},
	"room_full":           {409, true},
	"room_locked":         {423, true},
	"identity_taken":      {409, false},
	"unavailable":         {503, true},
	"internal":            {500, true},
}

func TestCodes(t *testing.T) {
	all := contract.Codes()
	if len(all) != len(statuses) {
		t.Errorf("there are %d codes, %d are pinned", len(all), len(statuses))
	}
	for _, code := range all {
		want, pinned := statuses[code]
		if !pinned {
			t.Errorf("%s isn't pinned", code)
			continue
		}
		if code.Status() != want.status || code.Retryable() != want.retryable {
			t.Errorf("%s is %d, retryable %t; want %d, %t", code, code.Status(), code.Retryable(), want.status, want.retryable)
		}
	}
}

func TestCode_UnknownIsOurFault(t *testing.T) {
	unknown := contract.Code("from_a_newer_version")
	if unknown.Status() != 500 || !unknown.Retryable() {
		t.Errorf("got %d, retryable %t; want 500, true", unknown.Status(), unknown.Retryable())
	}
}

func TestError(t *testing.T) {
	err := fmt.Errorf("join: %w", contract.Errorf(contract.CodeRoomFull, "the room holds %d members, wait until one leaves", 2))
	if !errors.Is(err, contract.CodeRoomFull) || errors.Is(err, contract.CodeRoomLocked) {
		t.Errorf("%v isn't recognised by its code", err)
	}
	if got, want := err.Error(), "join: room_full: the room holds 2 members, wait until one leaves"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWireError(t *testing.T) {
	var none *contract.WireError
	if err := none.Err(); err != nil {
		t.Errorf("no error came back as %v", err)
	}
	text, err := json.Marshal(contract.WireError{Code: contract.CodeUnavailable, Message: "try again", RetryAfter: 500})
	if err != nil {
		t.Fatal(err)
	}
	var back contract.WireError
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	var got *contract.Error
	if !errors.As(back.Err(), &got) || got.Code != contract.CodeUnavailable || got.Message != "try again" || got.RetryAfter != 500 {
		t.Errorf("came back as %+v", got)
	}
}

func TestCloseCode_ComeBack(t *testing.T) {
	back := []contract.CloseCode{1001, 1006, 1011, 1012, 1013, 4000, 4408, 4429, 4440, 4499}
	away := []contract.CloseCode{1000, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1015, 3000, 3999, 4500, 4501, 4503, 4509, 4510, 4999, 5000}
	for _, code := range slices.Concat(back, away) {
		if got, want := code.ComeBack(), slices.Contains(back, code); got != want {
			t.Errorf("%d: come back is %t, want %t", code, got, want)
		}
	}
}
