// The server of the guides for `ws`: rooms in a map, JSON that is looked at, and relay.
import { randomUUID } from "node:crypto";
import { WebSocket, WebSocketServer } from "ws";

const rooms = new Map(); // room -> Map of id -> socket
const relayed = new Set(["sdp-offer", "sdp-answer", "ice-candidate"]);

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]) });

server.on("connection", (socket) => {
  const id = randomUUID();
  let room;

  const send = (to, message) => {
    if (to.readyState === WebSocket.OPEN) to.send(JSON.stringify(message));
  };

  socket.on("message", (data) => {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return send(socket, { type: "error", message: "not JSON" });
    }
    if (message === null || typeof message !== "object" || typeof message.type !== "string") {
      return send(socket, { type: "error", message: "no type" });
    }
    if (message.type === "join") {
      if (typeof message.room !== "string" || room !== undefined) return send(socket, { type: "error", message: "bad join" });
      room = message.room;
      const members = rooms.get(room) ?? new Map();
      rooms.set(room, members);
      for (const member of members.values()) send(member, { type: "peer-joined", id });
      members.set(id, socket);
      return send(socket, { type: "joined", id });
    }
    if (!relayed.has(message.type)) return send(socket, { type: "error", message: "unknown type" });
    const { type, to, description, candidate } = message;
    const target = rooms.get(room)?.get(to);
    if (target === undefined) return send(socket, { type: "error", message: "no such peer" });
    if (typeof (description ?? candidate) !== "object") return send(socket, { type: "error", message: "no payload" });
    send(target, { type, from: id, description, candidate });
  });

  socket.on("close", () => {
    const members = rooms.get(room);
    if (!members?.delete(id)) return;
    if (members.size === 0) rooms.delete(room);
    for (const member of members.values()) send(member, { type: "peer-left", id });
  });
});
