// The server of the guides for Socket.IO: a namespace with join, sdp-offer, sdp-answer and ice-candidate. With the
// address of a Redis it is one of several.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [port, redis] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, { transports: ["websocket"] });

if (redis !== undefined) {
  const publisher = createClient({ url: redis });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}

io.of("/signaling").on("connection", (socket) => {
  socket.on("join", (message) => {
    if (typeof message?.room !== "string") return socket.emit("refused", { message: "bad join" });
    socket.join(message.room);
    socket.to(message.room).emit("peer-joined", { id: socket.id });
    socket.emit("joined", { id: socket.id });
    socket.on("disconnecting", () => socket.to(message.room).emit("peer-left", { id: socket.id }));
  });
  for (const [event, member] of [["sdp-offer", "description"], ["sdp-answer", "description"], ["ice-candidate", "candidate"]]) {
    socket.on(event, (message) => {
      if (typeof message?.to !== "string" || typeof message[member] !== "object") {
        return socket.emit("refused", { message: `bad ${event}` });
      }
      socket.to(message.to).emit(event, { from: socket.id, [member]: message[member] });
    });
  }
});

http.listen(Number(port), "127.0.0.1");
