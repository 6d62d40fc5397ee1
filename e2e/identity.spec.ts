import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, expect, type Page, test } from '@playwright/test';
import { type OidcProvider, startProvider } from '../tests/support/oidc';
import { watchConsole } from './support/screen';

const PASSWORD = 'correct horse battery staple';

/** An instance of its own: the one that the other specs share has no sign-in. */
let child: ChildProcess;
let dataDir: string;
let url: string;
let setup: string;
let olga: Page;
let provider: OidcProvider;

async function clean(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
}

async function stranger(browser: Browser): Promise<Page> {
  return (await browser.newContext({ baseURL: url })).newPage();
}

test.describe.configure({ mode: 'serial' });
test.beforeAll(async ({ browser }) => {
  test.setTimeout(240_000);
  dataDir = await mkdtemp(join(tmpdir(), 'oc-e2e-auth-'));
  provider = await startProvider();
  child = spawn(process.execPath, ['scripts/start.mjs', '--port', '0', '--data-dir', dataDir], {
    env: {
      ...process.env,
      OPENCONDUCTOR_AUTH: 'required',
      OPENCONDUCTOR_OIDC_ISSUER: provider.issuer,
      OPENCONDUCTOR_OIDC_CLIENT_ID: 'openconductor',
      OPENCONDUCTOR_OIDC_CLIENT_SECRET: 'a-secret-of-the-test',
      OPENCONDUCTOR_OIDC_DOMAIN: 'acme.example',
      OPENCONDUCTOR_LOG_LEVEL: 'error',
      npm_lifecycle_event: '',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await expect(() => expect(output).toMatch(/within 24 hours: \S+\s/)).toPass({ timeout: 200_000 });
  setup = /within 24 hours: (\S+)/.exec(output)?.[1] ?? '';
  url = new URL(setup).origin;
  provider.serve(`${url}/api/auth/sso/callback/oidc`);
  olga = await stranger(browser);
});
test.afterAll(async () => {
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  await ended;
  provider.server.close();
  await rm(dataDir, { recursive: true, force: true });
});

test('the printed link makes the first owner, by keyboard alone, once', async ({ browser }) => {
  await olga.goto(setup);
  await clean(olga);
  await expect(olga.getByLabel('Name')).toBeFocused();
  await olga.keyboard.type('Olga Owner');
  await olga.keyboard.press('Tab');
  await olga.keyboard.type('olga@example.com');
  await olga.keyboard.press('Tab');
  await olga.keyboard.type(PASSWORD);
  await olga.keyboard.press('Enter');
  await expect(olga).toHaveURL(`${url}/`);
  await expect(olga.getByRole('group', { name: 'Connection' })).toContainText('LIVE');

  const late = await stranger(browser);
  await late.goto(setup);
  await late.getByLabel('Name').fill('Eve');
  await late.getByLabel('E-mail').fill('eve@example.com');
  await late.getByLabel('Password').fill(PASSWORD);
  await late.keyboard.press('Enter');
  await expect(late.getByRole('alert').first()).toContainText('used already');
  await late.context().close();
});

test('an invited person joins, signs out, and signs in again; strangers see nothing', async ({ browser }) => {
  await olga.goto('/admin');
  await olga.getByLabel('E-mail').fill('vera@example.com');
  await olga.getByRole('button', { name: 'Invite' }).click();
  await expect(olga.getByRole('region', { name: 'Invitations' })).toContainText('vera@example.com');
  const answer = await olga.request.get('/api/v1/invitations');
  const { items } = (await answer.json()) as { items: { url: string }[] };

  const vera = await stranger(browser);
  await vera.goto('/');
  await expect(vera).toHaveURL(/\/signin\?next=/);
  await clean(vera);
  await vera.goto(items[0]?.url ?? '');
  await expect(vera.getByText('invites vera@example.com as viewer')).toBeVisible();
  await clean(vera);
  await vera.getByLabel('Name').fill('Vera Viewer');
  await vera.getByLabel('New password').fill(PASSWORD);
  await vera.keyboard.press('Enter');
  await expect(vera).toHaveURL(`${url}/`);
  await vera.goto('/admin');
  // What a viewer may not see is not offered.
  await expect(vera.getByRole('tab', { name: /Members/ })).toBeVisible();
  await expect(vera.getByRole('tab', { name: /Audit/ })).toHaveCount(0);
  await vera.getByRole('button', { name: 'Sign out' }).click();
  await expect(vera).toHaveURL(/\/signin/);
  await vera.getByLabel('E-mail').fill('vera@example.com');
  await vera.getByLabel('Password').fill('not the password');
  await vera.keyboard.press('Enter');
  await expect(vera.getByRole('alert').filter({ hasText: /invalid/i })).toBeVisible();
  await expect(vera.getByRole('button', { name: 'Sign in' })).toBeEnabled();
  await vera.getByLabel('Password').fill(PASSWORD);
  await vera.keyboard.press('Enter');
  await expect(vera).toHaveURL(`${url}/`);
  await vera.context().close();
});

test('a form takes nothing in before it is live, and then has the focus where it begins', async ({
  browser,
}) => {
  const early = await stranger(browser);
  let arrive = (): void => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await early.route(/\/_next\/.*\.js/, async (route) => {
    await arrived;
    await route.continue();
  });
  await early.goto('/signin', { waitUntil: 'commit' });
  const email = early.getByLabel('E-mail');
  await expect(email).toBeDisabled();
  arrive();
  await expect(email).toBeFocused();
  await early.keyboard.type('vera@example.com');
  await expect(email).toHaveValue('vera@example.com');
  await early.context().close();
});

test('every part of the administration is reached by its key, works, and is accessible', async () => {
  const errors = watchConsole(olga);
  await olga.goto('/admin');
  const part = (name: string) => olga.getByRole('tabpanel', { name });
  await expect(part('Members')).toContainText('Vera Viewer');
  await clean(olga);

  await olga.keyboard.press('2');
  await expect(part('Roles')).toContainText('organization:manage');
  await clean(olga);

  await olga.keyboard.press('3');
  await olga.getByLabel('Name', { exact: true }).fill('robot');
  await olga.getByRole('button', { name: 'Make a key' }).click();
  const key = await olga.locator('code').innerText();
  expect(key).toMatch(/^oc_/);
  const used = await olga.request.get('/api/v1/me', { headers: { authorization: `Bearer ${key}` } });
  expect(used.status()).toBe(200);
  await clean(olga);

  await olga.getByRole('tab', { name: /API keys/ }).focus();
  await olga.keyboard.press('4');
  await olga.getByLabel('Name', { exact: true }).fill('TOKEN');
  await olga.getByLabel('Value').fill('hush-hush');
  await olga.getByRole('button', { name: 'Set', exact: true }).click();
  await expect(part('Secrets')).toContainText('TOKEN');
  await expect(part('Secrets')).not.toContainText('hush-hush');
  await clean(olga);

  await olga.goto('/admin?part=audit');
  await expect(part('Audit')).toContainText('secret.set');
  await olga.getByRole('button', { name: 'Verify the chain' }).click();
  await expect(part('Audit').getByRole('status')).toContainText('entries hold');
  await clean(olga);

  await olga.goto('/admin?part=quotas');
  await olga.getByLabel('Most: open runs').fill('50');
  await olga.getByRole('button', { name: 'Save' }).click();
  await expect(olga.getByRole('row', { name: /Open runs/ })).toContainText('50');
  await clean(olga);
  expect(errors).toEqual([]);
});

test('teams and directories are looked after by keyboard; a directory is answered', async () => {
  const errors = watchConsole(olga);
  await olga.goto('/admin');
  const part = (name: string) => olga.getByRole('tabpanel', { name });
  await expect(part('Members')).toContainText('Vera Viewer');
  await olga.keyboard.press('7');
  await expect(part('Teams')).toContainText('No teams.');
  // By keyboard alone: make a team, put somebody into it, take them out again.
  await olga.getByLabel('Name of the team').focus();
  await olga.keyboard.type('Payments');
  await olga.keyboard.press('Enter');
  await expect(olga.getByRole('row', { name: /Payments/ })).toContainText('nobody');
  await olga.getByLabel('Member', { exact: true }).selectOption('vera@example.com');
  await olga.getByRole('button', { name: 'Add to the team' }).press('Enter');
  const payments = olga.getByRole('row', { name: /Payments/ });
  await expect(payments.getByRole('listitem')).toContainText('vera@example.com');
  await clean(olga);
  await olga.getByRole('button', { name: 'Take vera@example.com out of Payments' }).press('Enter');
  await expect(payments).toContainText('nobody');

  await olga.getByRole('tab', { name: /Teams/ }).focus();
  await olga.keyboard.press('8');
  await expect(part('Directory')).toContainText(`${url}/api/auth/scim/v2`);
  await olga.getByLabel('Name', { exact: true }).fill('Okta');
  await olga.getByRole('button', { name: 'Make a token' }).click();
  const token = await part('Directory').getByRole('status').locator('code').innerText();
  await expect(olga.getByRole('row', { name: /Okta/ })).toBeVisible();
  await clean(olga);
  // As a directory would use it, through the pages' own server: every method gets there.
  const scim = async (method: string, path: string, data?: object) =>
    olga.request.fetch(`/api/auth/scim/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json', cookie: '' },
      ...(data === undefined ? {} : { data: JSON.stringify(data) }),
    });
  const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'dora@example.com' };
  const made = await scim('POST', '/Users', user);
  expect(made.status()).toBe(201);
  const { id } = (await made.json()) as { id: string };
  expect((await scim('PUT', `/Users/${id}`, user)).status()).toBe(200);
  const off = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'active', value: false }],
  };
  expect((await scim('PATCH', `/Users/${id}`, off)).status()).toBe(200);
  expect((await scim('DELETE', `/Users/${id}`)).status()).toBe(204);
  await olga.getByRole('button', { name: 'End the token Okta' }).click();
  await expect(part('Directory')).toContainText('No directory is connected.');
  expect((await scim('GET', '/Users')).status()).toBe(401);
  expect(errors).toEqual([]);
});

test('another organisation is made and switched to; nothing of the first is in it', async () => {
  await olga.goto('/admin');
  await olga.getByLabel('New organisation').fill('Second');
  await olga.getByRole('button', { name: 'Make', exact: true }).click();
  await expect(olga.getByRole('navigation', { name: 'Place' })).toContainText('Second');
  await olga.goto('/admin?part=secrets');
  await expect(olga.getByText('No secrets.')).toBeVisible();
  await olga.getByRole('combobox', { name: 'Organisation' }).selectOption({ label: 'Local (owner)' });
  await expect(olga.getByRole('tabpanel', { name: 'Secrets' })).toContainText('TOKEN');
});

test('somebody signs in at the provider of the organisation, and comes back', async ({ browser }) => {
  const sam = await stranger(browser);
  await sam.goto('/admin');
  await sam.getByRole('button', { name: 'Single sign-on' }).click();
  await expect(sam).toHaveURL(new RegExp(provider.issuer));
  await sam.getByPlaceholder('Enter any login').fill('sam');
  await sam.getByPlaceholder('and password').fill('any');
  await sam.getByRole('button', { name: 'Sign-in' }).click();
  await sam.getByRole('button', { name: 'Continue' }).click();
  await expect(sam).toHaveURL(`${url}/admin`);
  // In the line above the parts first, and in the list of members once that is there.
  await expect(sam.getByText('sam of Acme').first()).toBeVisible();
  await sam.context().close();
});
