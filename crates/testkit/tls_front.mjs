// Speaks TLS for a server that does not: decrypts, and hands the bytes on to a port of 127.0.0.1.
//
//     node tls_front.mjs KEY CERTIFICATE
//
// Prints {"port": …}; reads the server's port in a line of its standard input, and ends with that.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { createServer } from "node:tls";

const [key, cert] = process.argv.slice(2).map((file) => readFileSync(file));
let target;

const front = createServer({ key, cert, ALPNProtocols: ["http/1.1"] }, (outside) => {
  const inside = connect(target, "127.0.0.1");
  outside.pipe(inside).pipe(outside);
  // Whichever side breaks off, the other one is told by its end.
  outside.on("error", () => inside.destroy());
  inside.on("error", () => outside.destroy());
});
front.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: front.address().port })));

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => (target = Number(line)));
lines.on("close", () => process.exit());
