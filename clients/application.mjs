// An Express application on a free port, registered with Ferry as a client's application is.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import express from "express";
import { manage, told } from "./told.mjs";

/** Serves what `furnish` adds, tells Ferry where that is, runs the test, and ends. */
export async function served(furnish, test, client = told.clients.web) {
  const app = express();
  const [key, cert] = [told.key, told.certificate].map((file) => readFileSync(file));
  const server = createServer({ key, cert }, app).listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  const base = `https://localhost:${server.address().port}`;
  await manage("PATCH", `clients/${client.client_id}`, {
    callbacks: [`${base}/callback`, `${base}/`],
    allowed_logout_urls: [base, `${base}/bye`, `${base}/`],
    web_origins: [base],
  });
  try {
    await furnish(base, app);
    await test(base);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
