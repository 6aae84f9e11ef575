// What stands before a server in real life: a proxy that ends TLS and passes on
// plain HTTP. With a certificate of its own making, for `localhost` only.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Listens on a free port; `forwardTo(port)` says where requests go. */
export async function startEdge() {
  const folder = await mkdtemp(join(tmpdir(), 'tower-oauth-proxy-edge-'));
  const key = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  await promisify(execFile)('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate,
  ]);
  let upstreamPort;
  const server = https.createServer({ key: await readFile(key), cert: await readFile(certificate) }, (request, response) => {
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
    certificate,
    forwardTo: (port) => { upstreamPort = port; },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}
