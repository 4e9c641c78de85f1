/** What perfect negotiation looks at (W3C WebRTC section 10.7). */
export interface Negotiating {
  readonly polite: boolean;
  readonly makingOffer: boolean;
  readonly isSettingRemoteAnswerPending: boolean;
  readonly signalingState: RTCSignalingState;
}

/**
 * Whether a description of this type must be ignored: it is an offer, it collides with ours, and we are the impolite one.
 * The polite one takes it, which rolls its own offer back.
 */
export function ignores(now: Negotiating, type: RTCSdpType): boolean {
  const readyForOffer =
    !now.makingOffer && (now.signalingState === "stable" || now.isSettingRemoteAnswerPending);
  const offerCollision = type === "offer" && !readyForOffer;
  return !now.polite && offerCollision;
}
