/** What has kind and identity here: a sender's track, and a track. */
interface Kinded {
  readonly kind: string;
}

/** Which sender gets which track. A sender that isn't named is removed, a track without a sender is added. */
export interface TrackPlan<S, T> {
  readonly keep: ReadonlyMap<S, T>;
  readonly remove: readonly S[];
  readonly add: readonly T[];
}

/**
 * Gives each track a sender of its kind, first the one that has it already, so that changing a camera needs no
 * negotiation.
 */
export function planTracks<T extends Kinded, S extends { readonly track: T | null }>(
  senders: readonly S[],
  tracks: readonly T[],
): TrackPlan<S, T> {
  const keep = new Map<S, T>();
  const fits: ((sender: S, track: T) => boolean)[] = [
    (sender, track) => sender.track === track,
    (sender, track) => sender.track?.kind === track.kind,
  ];
  let add = [...tracks];
  for (const fit of fits) {
    add = add.filter((track) => {
      const sender = senders.find((s) => !keep.has(s) && fit(s, track));
      if (sender) keep.set(sender, track);
      return !sender;
    });
  }
  return { keep, remove: senders.filter((s) => !keep.has(s)), add };
}
