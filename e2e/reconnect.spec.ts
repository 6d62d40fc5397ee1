import { expect, type Page, test, type WebSocketRoute } from '@playwright/test';
import { Screen, startOverRest } from './support/screen';

/** A line between page and server that can be cut and mended. Everything on it is real. */
async function line(page: Page) {
  const open = new Set<() => Promise<void>>();
  let whole = true;
  await page.routeWebSocket(/\/socket\.io\//, (socket: WebSocketRoute) => {
    if (!whole) {
      void socket.close();
      return;
    }
    const server = socket.connectToServer();
    open.add(async () => {
      await socket.close();
      await server.close();
    });
  });
  // The list is read again two seconds after a run has ended; what such a read brings is not a replay.
  await page.route(/\/api\/v1\/runs\?/, (route) => (whole ? route.continue() : route.abort()));
  return {
    async cut() {
      whole = false;
      for (const close of open) await close();
      open.clear();
    },
    mend() {
      whole = true;
    },
  };
}

test('a cut is shown, and what happened meanwhile is replayed without a reload', async ({
  page,
  request,
}) => {
  const wire = await line(page);
  const screen = new Screen(page);
  await screen.open();
  await screen.startStarter();
  await screen.completed();

  await wire.cut();
  await expect(screen.connection).toContainText('OFFLINE');
  await expect(screen.list).toContainText('STALE');
  await expect(page.getByText('DISCONNECTED')).toBeVisible();

  const runId = await startOverRest(request);
  await expect
    .poll(
      async () => ((await (await request.get(`/api/v1/runs/${runId}`)).json()) as { status: string }).status,
      { timeout: 45_000 },
    )
    .toBe('completed');
  await expect(screen.runs).not.toContainText(runId.slice(-8));

  wire.mend();
  await expect(page.getByText(/Reconnected: \d+ events replayed/).first()).toBeVisible();
  await screen.live();
  await expect(screen.runs.getByRole('row').filter({ hasText: runId.slice(-8) })).toContainText('Completed');
  await expect(page.getByText('DISCONNECTED')).toBeHidden();
});
