package contract

// ICERequest asks authsvc for the ICE servers of one member: those that need
// credentials of their own.
type ICERequest struct {
	App      Token  `json:"app"`
	Identity string `json:"identity"`
}

// ICEReply answers ICERequest. Without servers none are configured, and it
// needn't be asked again for a while.
type ICEReply struct {
	ICEServers []ICEServer `json:"iceServers,omitempty"`
	TTL        int64       `json:"ttl,omitempty"` // seconds that the credentials are good for
	Error      *WireError  `json:"error,omitempty"`
}
