/** What has kind and identity here: a track. */
interface Kinded {
  readonly kind: string;
}

/** Which sender gets which track, null: it sends nothing for now; and the tracks that need a new sender. */
export interface TrackPlan<S, T> {
  readonly keep: ReadonlyMap<S, T | null>;
  readonly add: readonly T[];
}

/**
 * Gives each track a sender of its kind, first the one that has it already. Senders are never taken away: a camera that
 * goes off, and comes on again, needs no negotiation and no new section in every description that follows. `senders` has
 * the kind of each, which one without a track doesn't tell.
 */
export function planTracks<T extends Kinded, S extends { readonly track: T | null }>(
  senders: ReadonlyMap<S, string>,
  tracks: readonly T[],
): TrackPlan<S, T> {
  const keep = new Map<S, T | null>();
  const fits: ((sender: S, kind: string, track: T) => boolean)[] = [
    (sender, _, track) => sender.track === track,
    (_, kind, track) => kind === track.kind,
  ];
  let add = [...tracks];
  for (const fit of fits) {
    add = add.filter((track) => {
      const found = [...senders].find(([sender, kind]) => !keep.has(sender) && fit(sender, kind, track));
      if (found) keep.set(found[0], track);
      return !found;
    });
  }
  for (const sender of senders.keys()) if (!keep.has(sender)) keep.set(sender, null);
  return { keep, add };
}
