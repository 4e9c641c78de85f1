// The PeerJS server as it comes, without its bound on the connections; and it waits long for heartbeats, since the
// clients of the bench send none.
import { PeerServer } from "peer";

PeerServer({
  host: "127.0.0.1", port: Number(process.argv[2]), path: "/", concurrent_limit: 100_000, alive_timeout: 3_600_000,
});
