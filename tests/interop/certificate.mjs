// A certificate authority of the run's own, and a certificate for `localhost` that it has signed.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = (...args) => promisify(execFile)('openssl', args, { timeout: 30_000 });
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];

/** Written to `folder`; `authority` is a file for those who are to trust it. */
export async function makeCertificate(folder) {
  const file = (name) => join(folder, name);
  await openssl(
    'req', '-x509', ...NEW_KEY, '-days', '2', '-subj', '/CN=Authority of the journeys',
    '-addext', 'keyUsage=critical,keyCertSign', '-keyout', file('authority-key.pem'), '-out', file('authority.pem'),
  );
  // Not an authority itself: rustls takes no such certificate from a server.
  await openssl(
    'req', ...NEW_KEY, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
    '-keyout', file('key.pem'), '-out', file('request.pem'),
  );
  await openssl(
    'x509', '-req', '-in', file('request.pem'), '-CA', file('authority.pem'), '-CAkey', file('authority-key.pem'),
    '-days', '2', '-copy_extensions', 'copy', '-out', file('certificate.pem'),
  );
  return {
    authority: file('authority.pem'),
    key: await readFile(file('key.pem')),
    cert: await readFile(file('certificate.pem')),
  };
}
