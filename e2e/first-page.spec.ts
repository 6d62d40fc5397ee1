import { expect, test } from '@playwright/test';
import { Screen, startOverRest, watchConsole } from './support/screen';

test('the first page is live and leaves no error in the console', async ({ page }) => {
  const errors = watchConsole(page);
  const screen = new Screen(page);
  await screen.open();
  await expect(page).toHaveTitle('OpenConductor');
  await expect(screen.connection).toContainText(/LIVE\s*·\s*\d+ ms/);
  await expect(screen.list).toBeVisible();
  await expect(screen.detail).toBeVisible();
  expect(errors).toEqual([]);
});

test('what the page loads comes from the same address', async ({ page, baseURL }) => {
  const foreign: string[] = [];
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(baseURL ?? '').origin) foreign.push(request.url());
  });
  await new Screen(page).open();
  expect(foreign).toEqual([]);
});

test('the window can be installed', async ({ request }) => {
  const answer = await request.get('/manifest.webmanifest');
  const manifest = (await answer.json()) as { display: string; icons: { src: string }[] };
  expect(manifest.display).toBe('standalone');
  for (const icon of manifest.icons) expect((await request.get(icon.src)).status(), icon.src).toBe(200);
});

test('a run has a page of its own, and Esc leads back to the list', async ({ page, request }) => {
  const errors = watchConsole(page);
  const runId = await startOverRest(request);
  const screen = new Screen(page);
  await screen.open(`/runs/${runId}`);
  await screen.completed();
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(new RegExp(`\\?run=${runId}`));
  await expect(screen.runs).toBeVisible();
  expect(errors).toEqual([]);
});

test('an address without a run says so', async ({ page }) => {
  await page.goto('/runs/00000000-0000-7000-8000-000000000000');
  await expect(page.getByRole('alert').filter({ hasText: 'RUN_NOT_FOUND' })).toBeVisible();
});
