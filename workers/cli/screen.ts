import { createLogUpdate } from 'log-update';
import { newEvents } from '../view/events.ts';
import { clockText, stampText } from '../view/figures.ts';
import { liveView } from '../view/live-view.ts';
import { lookOf } from '../view/look.ts';
import type { CampaignSnapshot } from '../view/snapshot.ts';
import type { CliContext } from './context.ts';

/** Where a running campaign is shown. */
export interface Screen {
  show(snapshot: CampaignSnapshot): void;
  /** A line that stays. */
  say(line: string): void;
  close(): void;
}

/** A live view on a terminal; elsewhere a line for each event, none twice. */
export const openScreen = (context: CliContext, keys: string): Screen =>
  context.stdout.isTTY === true && context.environment.TERM !== 'dumb' ? liveScreen(context, keys) : logScreen(context);

/** Lines of the view that are not the table of best. */
const otherLines = 18;

const liveScreen = (context: CliContext, keys: string): Screen => {
  const update = createLogUpdate(process.stdout);
  return {
    show: (snapshot) => {
      const look = lookOf(context.stdout, context.environment);
      const maxBest = Math.min(8, Math.max(3, (context.stdout.rows ?? 24) - otherLines));
      update(liveView(look, snapshot, { maxBest, keys }).join('\n'));
    },
    say: (line) => update.persist(line),
    // What follows says it all again, for good.
    close: () => update.clear(),
  };
};

const logScreen = (context: CliContext): Screen => {
  const seen = new Set<string>();
  return {
    show: (snapshot) => {
      const { nowMs } = snapshot;
      for (const { key, line, at } of newEvents(snapshot, seen)) {
        seen.add(key);
        context.print([`${stampText(at === null ? nowMs : Date.parse(at), nowMs)}  ${line}`]);
      }
    },
    say: (line) => context.print([`${clockText(Date.now())}  ${line}`]),
    close: () => {},
  };
};
