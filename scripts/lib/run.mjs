/** Running other programs. Node built-ins only. */
import { spawn } from 'node:child_process';
import { ROOT } from './paths.mjs';
import { Trouble } from './progress.mjs';

/** Those that run now. @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();

/** Asks all programs that run now to end: their callers see them fail. */
export function endChildren() {
  for (const child of children) child.kill('SIGTERM');
}

/**
 * Runs a program to its end and returns what it printed.
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: Record<string, string | undefined>, cwd?: string }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function capture(program, args, { env = {}, cwd = ROOT } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // npm is a .cmd file on Windows.
      shell: process.platform === 'win32',
    });
    children.add(child);
    child.on('close', () => children.delete(child));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? (signal ? 128 : 1), output }));
  });
}

/**
 * Runs a program that has to succeed; otherwise the end of its output is the message.
 * @param {string} what for people, e.g. "npm ci"
 * @param {string} program
 * @param {string[]} args
 * @param {Parameters<typeof capture>[2]} [options]
 */
export async function mustRun(what, program, args, options) {
  const { code, output } = await capture(program, args, options);
  if (code !== 0)
    throw new Trouble(
      `${what} failed (exit code ${code}):\n${output.trim().split('\n').slice(-40).join('\n')}`,
    );
  return output;
}
