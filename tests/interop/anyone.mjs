// What the server that is for anyone is started with: clients of the operator's own, API keys, an issuer that is
// trusted, keys that others verify tokens by; and what its journeys are told of it.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { CALLBACK, newKey } from './company.mjs';

/** The audience by which the company's access tokens are for this server. */
const AUDIENCE = 'https://tools.company.example';
const SCOPES = ['openid', 'profile', 'email'];

export async function anyone({ company, folder, baseUrl, certificate, newApiKey }) {
  const file = (name) => join(folder, name);
  const save = async (name, value) => {
    await writeFile(file(name), JSON.stringify(value));
    return file(name);
  };
  const machineKey = await newKey(file('machine-key.pem'));
  const signingKey = await newKey(file('signing-key.pem'));
  const secret = randomBytes(24).toString('base64url');
  const { stdout: line, stderr: shown } = await promisify(execFile)(newApiKey, ['nightly'], { timeout: 30_000 });
  const apiKey = shown.trim().split(' ').at(-1);

  return {
    environment: {
      PRIVATE_NETWORKS: '127.0.0.0/8',
      ROOT_CERTIFICATES_FILE: certificate.authority,
      METADATA_DOCUMENTS: 'on',
      SIGNING_KEY_FILE: signingKey.file,
      API_KEYS_FILE: await save('api-keys.json', [{ ...JSON.parse(line), scopes: ['openid'], roles: ['reporter'] }]),
      CLIENTS_FILE: await save('clients.json', [
        { id: 'machine', secret, machine: true, scopes: SCOPES, roles: ['reporter'] },
        { id: 'machine-with-key', jwks: { keys: [machineKey.jwk] }, machine: true, scopes: SCOPES },
        { id: 'desk', secret, redirect_uris: [CALLBACK] },
        { id: 'neighbour', secret, introspects: [`${baseUrl}/mcp`] },
      ]),
      TRUSTED_ISSUERS: await save('trusted-issuers.json', [
        { id: 'company', issuer: company.issuer, assertions: true, access_tokens: [AUDIENCE] },
      ]),
    },
    told: {
      COMPANY: company.issuer,
      COMPANY_AUDIENCE: AUDIENCE,
      DOCUMENT_OPEN: company.clients.open,
      DOCUMENT_WITH_KEY: company.clients.withKey,
      DOCUMENT_KEY_FILE: company.clientKey.file,
      MACHINE_SECRET: secret,
      MACHINE_KEY_FILE: machineKey.file,
      API_KEY: apiKey,
    },
  };
}
