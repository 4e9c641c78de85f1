// What is read from SDP. Nothing here changes any.

/** The session id of o= (RFC 8866 section 5.2), which one RTCPeerConnection never changes (RFC 9429 section 5.2.2). */
function origin(sdp: string | undefined): string | undefined {
  return /^o=\S+ (\S+)/m.exec(sdp ?? "")?.[1];
}

/** Whether a description comes from another RTCPeerConnection than the one whose description we have. */
export function isForeign(have: string | undefined, got: string | undefined): boolean {
  const known = origin(have);
  return known !== undefined && known !== origin(got);
}

/** Whether a local candidate belongs to this description: ICE has not restarted since, nor was its offer rolled back. */
export function hasUfrag(sdp: string | undefined, ufrag: string | null | undefined): boolean {
  return !ufrag || !!sdp?.includes(`a=ice-ufrag:${ufrag}\r\n`);
}
