import type { PeerLink } from "../../../edge/sdk/src/index.ts";

/** One end of the candidate pair that carries the call. */
interface End {
  type: string;
  address: string;
  protocol: string;
}

/** What getStats says of a connection. */
export interface Facts {
  framesDecoded: number;
  bytesReceived: number; // media
  channelBytes: number;
  local: End;
  remote: End;
}

export async function facts(link: PeerLink | undefined): Promise<Facts> {
  const report = await link?.pc.getStats();
  const all = [...(report?.values() ?? [])] as Record<string, never>[];
  const sum = (type: string, name: string): number =>
    all.filter((s) => s.type === type).reduce((total, s) => total + ((s[name] as number | undefined) ?? 0), 0);
  const transport = all.find((s) => s.type === "transport");
  const pair = transport && report?.get(transport.selectedCandidatePairId as unknown as string);
  const end = (id: string): End => {
    const { candidateType: type = "", address = "", protocol = "" } = report?.get(id) ?? {};
    return { type, address, protocol };
  };
  return {
    framesDecoded: sum("inbound-rtp", "framesDecoded"),
    bytesReceived: sum("inbound-rtp", "bytesReceived"),
    channelBytes: sum("data-channel", "bytesReceived"),
    local: end(pair?.localCandidateId),
    remote: end(pair?.remoteCandidateId),
  };
}

export async function channelBytes(link: PeerLink | undefined): Promise<number> {
  return (await facts(link)).channelBytes;
}
