import { expect, type Page, test } from '@playwright/test';
import { Screen, startOverRest } from './support/screen';

/** The text of the row that has the focus, or null when the focus is not in a grid. */
function focusedRow(page: Page): Promise<string | null> {
  return page.evaluate(
    () => document.activeElement?.closest('[role="row"]')?.getAttribute('aria-rowindex') ?? null,
  );
}

test.beforeEach(async ({ page, request }) => {
  await startOverRest(request);
  await startOverRest(request);
  const screen = new Screen(page);
  await screen.open();
  await expect(screen.rows(screen.runs).nth(1)).toBeVisible();
});

test('a run is found, opened, read and left without the mouse', async ({ page }) => {
  const screen = new Screen(page);
  await page.keyboard.press('Control+1');
  await page.keyboard.press('Home');
  expect(await focusedRow(page)).toBe('2');
  await page.keyboard.press('j');
  expect(await focusedRow(page)).toBe('3');
  await page.keyboard.press('ArrowUp');
  expect(await focusedRow(page)).toBe('2');
  await screen.completed();

  await page.keyboard.press('Enter');
  await expect(screen.steps.locator(':focus')).toHaveAttribute('role', 'gridcell');
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await expect(screen.detail.getByRole('region', { name: 'Step detail' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(screen.steps.locator(':focus')).toHaveCount(1);
  await page.keyboard.press('e');
  await expect(screen.events.locator(':focus')).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(screen.runs.locator(':focus')).toHaveCount(1);
});

test('Enter right after an arrow opens the run that the arrow went to, not the one before', async ({
  page,
}) => {
  const screen = new Screen(page);
  await page.keyboard.press('Control+1');
  await page.keyboard.press('Home');
  await screen.completed();
  await page.keyboard.press('ArrowDown');
  await screen.completed();
  // The clock of the page stands still: the second arrow comes too soon after the first one, however slow the machine.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.keyboard.press('ArrowUp');
  await screen.opened();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await screen.opened();
  await expect(screen.steps.locator(':focus')).toHaveAttribute('role', 'gridcell');
});

test('a grid is one tab stop', async ({ page }) => {
  const screen = new Screen(page);
  await expect(screen.runs.locator('[tabindex="0"]')).toHaveCount(1);
  await page.keyboard.press('1');
  await page.keyboard.press('l');
  await page.keyboard.press('j');
  await expect(screen.runs.locator('[tabindex="0"]')).toHaveCount(1);
  await expect(screen.runs.locator('[tabindex="0"]')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(screen.runs.locator(':focus')).toHaveCount(0);
});

test('s sorts by the column that has the focus', async ({ page }) => {
  const screen = new Screen(page);
  await page.keyboard.press('1');
  await page.keyboard.press('s');
  await expect(screen.runs.getByRole('columnheader', { name: 'STARTED' })).toHaveAttribute(
    'aria-sort',
    'ascending',
  );
  await page.keyboard.press('s');
  await expect(screen.runs.getByRole('columnheader', { name: 'STARTED' })).toHaveAttribute(
    'aria-sort',
    'descending',
  );
});

test('Ctrl+F goes to the filter once; the second time it is left to the browser', async ({ page }) => {
  await page.evaluate(() => {
    const seen: boolean[] = [];
    Object.assign(window, { seen });
    window.addEventListener('keydown', (event) => {
      if (event.key === 'f') seen.push(event.defaultPrevented);
    });
  });
  await page.keyboard.press('Control+f');
  await expect(new Screen(page).filter).toBeFocused();
  await page.keyboard.press('Control+f');
  expect(await page.evaluate(() => (window as unknown as { seen: boolean[] }).seen)).toEqual([true, false]);
});

test('F5 reads every stream again, says so, and does not reload', async ({ page }) => {
  await page.evaluate(() => Object.assign(window, { kept: true }));
  await page.keyboard.press('F5');
  await expect(page.getByText(/streams? refreshed/).first()).toBeVisible();
  expect(await page.evaluate(() => (window as unknown as { kept?: boolean }).kept)).toBe(true);
});

test('keys of one character can be switched off, and the choice is kept', async ({ page }) => {
  const screen = new Screen(page);
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keys and signs' });
  await help.getByRole('checkbox', { name: /Keys of one character/ }).uncheck();
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
  await page.reload();
  await screen.live();
  await page.keyboard.press('?');
  await expect(help).toBeHidden();
  await page.keyboard.press('Control+1');
  await expect(screen.runs.locator(':focus')).toHaveCount(1);
  const before = await focusedRow(page);
  await page.keyboard.press('j');
  expect(await focusedRow(page)).toBe(before);
  await page.keyboard.press('ArrowDown');
  expect(await focusedRow(page)).not.toBe(before);
});

test('a paused list stands still, and shows everything when it goes on', async ({ page, request }) => {
  const screen = new Screen(page);
  await screen.completed();
  // Only the stream may bring the run: a read of the list that comes before its events would hide that they came.
  await page.route(/\/api\/v1\/runs\?/, (route) => route.fulfill({ json: { items: [], nextCursor: null } }));
  await page.keyboard.press('1');
  await page.keyboard.press('Space');
  await expect(screen.list).toContainText('PAUSED');
  const first = await screen.rows(screen.runs).first().textContent();
  const runId = await startOverRest(request);
  // The page has had the events, for it announces them; yet the list stands still.
  await expect(page.locator('[aria-live="polite"]')).toContainText('1 run started');
  await expect(screen.runs).not.toContainText(runId.slice(-8));
  expect(await screen.rows(screen.runs).first().textContent()).toBe(first);
  await page.keyboard.press('Space');
  await expect(screen.runs).toContainText(runId.slice(-8));
});
