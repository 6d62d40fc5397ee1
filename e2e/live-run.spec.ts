import { expect, test } from '@playwright/test';
import { Screen, watchConsole } from './support/screen';

test('the starter workflow is started from the page, and its steps complete before the eyes', async ({
  page,
}) => {
  const errors = watchConsole(page);
  const screen = new Screen(page);
  await screen.open();
  const runId = await screen.startStarter();

  // From here on nothing is clicked and nothing reloaded: what changes came over the socket.
  await screen.completed();
  const rows = screen.rows(screen.steps);
  await expect(rows.first()).toContainText('Completed');
  const steps = await rows.count();
  expect(steps).toBeGreaterThanOrEqual(3);
  await expect(rows.filter({ hasText: 'Completed' })).toHaveCount(steps);
  await expect(screen.steps).toContainText('filesystem');
  await expect(screen.steps).toContainText('memory');

  const row = screen.runs.getByRole('row', { selected: true });
  await expect(row).toContainText('document-pipeline');
  await expect(row).toContainText(runId.slice(-8));
  await expect(row).toContainText('Completed');
  expect(errors).toEqual([]);
});

test('the history of a run is complete and in order', async ({ page }) => {
  const screen = new Screen(page);
  await screen.open();
  await screen.startStarter();
  await screen.completed();
  await screen.detail.getByRole('tab', { name: /EVENTS/ }).click();
  await expect(screen.events).toContainText('WORKFLOW_EXECUTION_COMPLETED');
  const sequence = await screen.events
    .getByRole('gridcell')
    .evaluateAll((cells) =>
      cells
        .filter((cell) => cell.getAttribute('aria-colindex') === '1')
        .map((cell) => Number(cell.textContent)),
    );
  expect(sequence).toEqual(Array.from({ length: sequence.length }, (_, at) => (sequence[0] ?? 0) + at));
  expect(Number(await screen.events.getAttribute('aria-rowcount')) - 1).toBe(sequence.at(-1));
});

test('an empty list teaches, and a run started from it arrives over the socket alone', async ({ page }) => {
  // An instance that has runs already: only the list that is read by REST is emptied.
  await page.route(/\/api\/v1\/runs\?/, (route) =>
    route.fulfill({ json: { items: [], nextCursor: null }, contentType: 'application/json' }),
  );
  const screen = new Screen(page);
  await screen.open();
  await expect(screen.list.getByRole('heading', { name: 'No runs yet' })).toBeVisible();
  await expect(screen.list).toContainText(
    `npm run oc -- orchestrate document-pipeline --with filesystem,memory --input '{"path":"welcome.md"}'`,
  );
  await screen.list.getByRole('button', { name: /Run starter workflow/ }).click();
  await expect(screen.rows(screen.runs)).toHaveCount(1);
  await screen.completed();
});

test('a filter shows what matches and can be cleared', async ({ page }) => {
  const screen = new Screen(page);
  await screen.open();
  const runId = await screen.startStarter();
  await screen.completed();
  await page.keyboard.press('/');
  await expect(screen.filter).toBeFocused();
  await page.keyboard.type(runId);
  await expect(screen.rows(screen.runs)).toHaveCount(1);
  await expect(page).toHaveURL(/[?&]q=/);
  await screen.filter.fill('no such run anywhere');
  await expect(screen.list.getByRole('heading', { name: 'No run matches the filter' })).toBeVisible();
  await screen.filter.press('Escape');
  await expect(screen.filter).toHaveValue('');
  await expect(screen.rows(screen.runs).first()).toBeVisible();
});
