/** Keeps the embedded Postgres running while we run. */
import { isForPeople, step, Trouble } from './progress.mjs';

const MOST_RESTARTS = 5;
/** One that has run for so long (milliseconds) ends for a reason of its own: the count begins anew. */
const QUIET_MS = 600_000;

/**
 * Starts it, and starts it again should it end unasked; not a sixth time without ten quiet minutes in between.
 * @param {(log: (text: string) => void) => Promise<import('../../server/adapters/postgres/embedded/cluster').Cluster>} launch
 * @param {() => void} giveUp called when it cannot be kept running
 * @param {() => number} now a clock that only goes forward, in milliseconds
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>} `url`: the administrator's
 */
export async function keepPostgres(launch, giveUp, now = () => performance.now()) {
  let stopping = false;
  let restarts = 0;
  /** A restart under way: it has to be over before what it started can be stopped. @type {Promise<void>} */
  let restarting = Promise.resolve();
  let cluster = await step('embedded Postgres', async (note) => {
    const running = await launch(note);
    note(`on 127.0.0.1:${running.port}`);
    return running;
  });
  const { url } = cluster;
  let since = now();

  const restart = async () => {
    try {
      restarts = now() - since > QUIET_MS ? 1 : restarts + 1;
      if (restarts > MOST_RESTARTS) {
        throw new Trouble(
          `Postgres has ended ${restarts} times, each time within ten minutes: see ${cluster.logFile}`,
        );
      }
      console.error(`Postgres ended by itself (its log is ${cluster.logFile}): starting it again`);
      cluster = await step('embedded Postgres', launch);
      since = now();
      // The server knows one address, which another program may have taken in between.
      if (cluster.url !== url) throw new Trouble(`Port ${new URL(url).port} of Postgres is no longer free.`);
      watch();
    } catch (error) {
      console.error(isForPeople(error) ? error.message : error);
      giveUp();
    }
  };
  const watch = () => {
    void cluster.ended.then(() => {
      if (!stopping) restarting = restart();
    });
  };
  watch();
  return {
    url,
    async stop() {
      stopping = true;
      await restarting;
      await cluster.stop();
    },
  };
}
