// What stands before a server in real life: a proxy that ends TLS and passes on
// plain HTTP.

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';

/** Listens on a free port; `forwardTo(port)` says where requests go. */
export async function startEdge({ key, cert }) {
  let upstreamPort;
  const server = https.createServer({ key, cert }, (request, response) => {
    const { method, url: path, headers } = request;
    const onward = http.request({ host: '127.0.0.1', port: upstreamPort, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.on('error', () => { if (!response.headersSent) response.writeHead(502); response.end(); });
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `https://localhost:${server.address().port}`,
    forwardTo: (port) => { upstreamPort = port; },
  };
}
