import type { RunActivity } from '@/lib/engine/commands';
import type { EngineEvent } from '@/lib/engine/types';
import type { CallResume, InputRequiredBody } from '@/lib/protocol/input-required';
import type { Clock } from '@/lib/shared/clock';
import type { ActivityProgress } from '@/server/ports/activity';
import type { InputAnswer, InputRequest, InputRequired, ToolCall } from '@/server/ports/mcp-fleet';
import type { CallAbort } from '@/server/workers/engine/call-abort';
import type { Delivery } from '@/server/workers/engine/committer';
import type { ResidentRun } from '@/server/workers/engine/resident-run';

/** Progress of one call is told at most this often, and nothing of it is kept. */
const PROGRESS_MS = 1_000;

type Answers = Record<string, InputAnswer>;

/** What a call says and asks while it is under way. */
export type CallDialogue = Pick<ToolCall, 'onInputRequired' | 'onTask' | 'onProgress' | 'resume'>;

interface DialogueHost {
  readonly deps: {
    readonly activities: { onProgress?: (facts: ActivityProgress) => void };
    readonly clock: Clock;
  };
  deliver(run: ResidentRun, event: EngineEvent): Promise<Delivery>;
}

/**
 * Makes the questions of a server durable. A round of the 2026 protocol ends the call: the caller writes it down and the
 * call is taken up again with the answers, by whichever process. A question of 2025 is asked inside an open request, so
 * the call stays open here until its answer comes; should the process die meanwhile, the answer is kept and given when
 * the call, made again, asks the same.
 */
export function callDialogue(
  host: DialogueHost,
  run: ResidentRun,
  command: RunActivity,
  abort: Pick<CallAbort, 'letGo' | 'whenHeldBack'>,
): CallDialogue {
  const { activityId, attempt, nodePath, resume } = command;
  const { organizationId, runId } = run.info;
  const { clock, activities } = host.deps;
  const fact = (type: EngineEvent['type'], data: object) =>
    ({ type, at: clock.now(), data: { activityId, attempt, ...data } }) as unknown as EngineEvent;
  const kept = new KeptAnswers(resume);
  let before: Promise<unknown> = Promise.resolve();
  let told = Number.NEGATIVE_INFINITY;

  const ask = async (input: InputRequired, signal: AbortSignal): Promise<Answers> => {
    signal.throwIfAborted();
    const answered = waitForAnswers(run, activityId, signal, abort);
    try {
      const verdict = await host.deliver(run, fact('ACTIVITY_TASK_INPUT_REQUIRED', { input }));
      if (verdict !== 'written') throw new Error('The question could not be written down.');
      return await answered.promise;
    } finally {
      answered.forget();
    }
  };
  return {
    ...resumeFor(resume),
    onInputRequired: (input, signal) => {
      if (input.taskId !== undefined) abort.letGo();
      if (input.durable) return Promise.resolve('park');
      const known = kept.take(input.requests);
      if (known !== undefined) return Promise.resolve(known);
      // One question of a call at a time: the next one waits until this one is answered.
      const asked = before.then(() => ask(input, signal));
      before = asked.catch(() => undefined);
      return asked;
    },
    onTask: async ({ taskId }) => {
      // The server can be asked about a task, and goes on with it unless it is told to stop.
      abort.letGo();
      await host.deliver(run, fact('ACTIVITY_TASK_REMOTE_TASK', { taskId }));
    },
    onProgress: (progress) => {
      const now = clock.now();
      if (activities.onProgress === undefined || now - told < PROGRESS_MS) return;
      told = now;
      activities.onProgress({ organizationId, runId, nodePath, at: now, ...progress });
    },
  };
}

/** Gives answers to the open call they are for. False when there is none in this process. */
export function answerOpenCall(run: ResidentRun, { activityId, resume }: RunActivity): boolean {
  const give = resume === undefined ? undefined : run.questions.get(activityId);
  if (give === undefined) return false;
  give(resume?.answers as Answers);
  return true;
}

/** Nobody answers once the call is given up, or was to be: then a server is told no, and may answer the call itself. */
function waitForAnswers(
  run: ResidentRun,
  activityId: string,
  signal: AbortSignal,
  abort: Pick<CallAbort, 'whenHeldBack'>,
) {
  let forget = () => {};
  const promise = new Promise<Answers>((resolve, reject) => {
    const onAbort = () => reject(new Error('The question was withdrawn.'));
    run.questions.set(activityId, resolve);
    signal.addEventListener('abort', onAbort, { once: true });
    const stopListening = abort.whenHeldBack(onAbort);
    forget = () => {
      stopListening();
      if (run.questions.get(activityId) === resolve) run.questions.delete(activityId);
      signal.removeEventListener('abort', onAbort);
    };
  });
  // Withdrawn while the question is still being written down: whoever awaits it later is told, nobody else.
  promise.catch(() => undefined);
  return { promise, forget };
}

/** What the fleet takes the call up again with: the answers of a durable round, or the task that still is to be followed. */
function resumeFor(resume: CallResume | undefined): Pick<CallDialogue, 'resume'> {
  if (resume === undefined) return {};
  const { input, answers } = resume;
  if (input.durable) return { resume: { input, answers } as NonNullable<ToolCall['resume']> };
  if (input.taskId === undefined) return {};
  return { resume: { input: { requests: [], durable: true, taskId: input.taskId }, answers: {} } };
}

/**
 * Answers given to the same call before it had to be made again, by the content of the questions: their keys differ from
 * call to call. Each is given once, in order, so that a question asked twice gets both of its answers.
 */
class KeptAnswers {
  private readonly rest: Array<{ content: string; answer: InputAnswer }> = [];

  constructor(resume: CallResume | undefined) {
    if (resume === undefined || resume.input.durable) return;
    for (const { input, answers } of [...(resume.earlier ?? []), resume]) {
      for (const request of input.requests) {
        const answer = answers[request.key] as InputAnswer | undefined;
        if (answer !== undefined) this.rest.push({ content: contentOf(request), answer });
      }
    }
  }

  /** Undefined when one of the questions was not answered before. */
  take(requests: readonly InputRequest[]): Answers | undefined {
    const left = [...this.rest];
    const answers: Answers = {};
    for (const request of requests) {
      const content = contentOf(request);
      const at = left.findIndex((one) => one.content === content);
      const [found] = at < 0 ? [] : left.splice(at, 1);
      if (found === undefined) return undefined;
      answers[request.key] = found.answer;
    }
    this.rest.splice(0, this.rest.length, ...left);
    return answers;
  }
}

function contentOf(request: InputRequest | InputRequiredBody['requests'][number]): string {
  return JSON.stringify({ ...request, key: '' });
}
