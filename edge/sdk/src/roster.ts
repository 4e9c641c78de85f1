import type { PeerUpdated, WirePeer } from "./frames.ts";
import type { Peer } from "./peer.ts";

/** What a change of the roster tells. */
export type RosterChange =
  | { readonly kind: "joined"; readonly peer: Peer }
  | { readonly kind: "left"; readonly peer: Peer; readonly reason: string }
  | { readonly kind: "updated"; readonly peer: Peer; readonly previous: Peer };

/** Who else is in a room, at one revision of it. */
export class Roster {
  revision = 0;
  /** By id, in the order of joining. */
  readonly peers: Map<string, Peer> = new Map();

  /** Takes a whole roster and returns what changed by it, departures first. */
  reset(revision: number, peers: readonly WirePeer[]): RosterChange[] {
    const old = new Map(this.peers);
    this.revision = revision;
    this.peers.clear();
    const changes: RosterChange[] = [];
    for (const wire of peers) {
      const previous = old.get(wire.peer);
      let peer = readPeer(wire);
      if (!previous) changes.push({ kind: "joined", peer });
      else if (previous.version >= peer.version) peer = { ...peer, ...dynamic(previous) };
      else changes.push({ kind: "updated", peer, previous });
      this.peers.set(peer.peer, Object.freeze(peer));
      old.delete(wire.peer);
    }
    // Why a peer left can't be told from a snapshot.
    const left = [...old.values()].map((peer): RosterChange => ({ kind: "left", peer, reason: "" }));
    return [...left, ...changes];
  }

  /** Undefined: it is known already. */
  join(revision: number, wire: WirePeer): RosterChange | undefined {
    if (revision <= this.revision) return undefined;
    this.revision = revision;
    const peer = readPeer(wire);
    this.peers.set(peer.peer, peer);
    return { kind: "joined", peer };
  }

  /** Undefined: it is known already. */
  leave(revision: number, id: string, reason: string): RosterChange | undefined {
    if (revision <= this.revision) return undefined;
    this.revision = revision;
    const peer = this.peers.get(id);
    if (!peer) return undefined;
    this.peers.delete(id);
    return { kind: "left", peer, reason };
  }

  /** Undefined: a version as new is known, or the peer isn't. */
  update(wire: PeerUpdated["peer"]): RosterChange | undefined {
    const previous = this.peers.get(wire.peer);
    if (!previous || wire.version <= previous.version) return undefined;
    const { presence = previous.presence, state = previous.state, version } = wire;
    const peer = Object.freeze({ ...previous, presence, state, version });
    this.peers.set(peer.peer, peer);
    return { kind: "updated", peer, previous };
  }
}

/** What changes of a peer while it is a member. */
function dynamic({ presence, version, state }: Peer): Pick<Peer, "presence" | "version" | "state"> {
  return { presence, version, state };
}

function readPeer(wire: WirePeer): Peer {
  const { presence, capabilities } = wire; // decoding has left no other members
  return Object.freeze({ ...wire, presence, capabilities: Object.freeze({ rollback: capabilities.rollback === true }) });
}
