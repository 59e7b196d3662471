// A chat over the npm package ws, to compare with: what one says goes to everybody, one write for each.
// Nothing is kept, and there is one room. `node server.js PORT`
import { WebSocket, WebSocketServer } from "ws";

const port = Number(process.argv[2] ?? 8080);
const server = new WebSocketServer({ host: "127.0.0.1", port, path: "/ws" });

server.on("connection", (socket) => {
  socket.on("error", console.error);
  socket.on("message", (data, binary) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary });
    }
  });
});
