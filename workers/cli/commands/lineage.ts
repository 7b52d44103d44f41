import { Command } from 'commander';
import type { Archive } from '../../../services/archive/archive.ts';
import type { Campaign } from '../../../workflows/contracts/campaign.ts';
import { lineageViolations } from '../../../workflows/rules/lineage.ts';
import { countText } from '../../view/figures.ts';
import { lineageLines, lineageMermaid, pruneLineage, type TreeNode } from '../../view/lineage-tree.ts';
import { changeText, exploredGain, isReference } from '../../view/snapshot.ts';
import { badInput } from '../command-error.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { findCampaign } from '../find-records.ts';
import { wholeNumber } from '../whole-number.ts';

interface LineageOptions {
  readonly json?: boolean;
  readonly mermaid?: boolean;
  readonly limit: number;
}

export const lineageCommand = (context: CliContext): Command =>
  new Command('lineage')
    .description('the tree of everything tried: gain over the reference, verdict, what changed')
    .argument('[campaign]', 'campaign id; the newest one if not given')
    .option('--json', 'the nodes as JSON')
    .option('--mermaid', 'a Mermaid flowchart, for a Markdown page')
    .option('--limit <n>', 'nodes to show; the best ones with their ancestors are kept', wholeNumber('--limit', 1, 100_000), 300)
    .addHelpText(
      'after',
      examples(['npx asi lineage', 'npx asi lineage c-quick-1121-1432 --mermaid > lineage.mmd', 'npx asi lineage --json']),
    )
    .action(async (id: string | undefined, options: LineageOptions) => {
      if (options.json === true && options.mermaid === true) throw badInput('--json and --mermaid: right would be one of them');
      await context.readArchive(async (archive) => {
        const campaign = await findCampaign(archive, id);
        const all = await archive.lineage(campaign.id);
        const nodes = await withDetails(archive, campaign, pruneLineage(all, options.limit));
        const violations = lineageViolations(all);
        if (options.json === true) context.printJson({ campaignId: campaign.id, numExperiments: all.length, nodes, violations });
        else if (options.mermaid === true) context.print([lineageMermaid(nodes)]);
        else context.print([...treeLines(context, campaign, nodes, all.length), ...violationLines(violations)]);
      });
    });

const violationsShown = 5;

/** Nothing writes a broken lineage; a file that was edited by hand may hold one, and the tree above is then not to be believed. */
const violationLines = (violations: readonly string[]): readonly string[] =>
  violations.length === 0
    ? []
    : [
        `warning: the lineage of this campaign is broken (${countText(violations.length)}):`,
        ...violations.slice(0, violationsShown).map((violation) => `  ${violation}`),
      ];

const withDetails = (
  archive: Archive,
  campaign: Campaign,
  nodes: Awaited<ReturnType<Archive['lineage']>>,
): Promise<readonly TreeNode[]> =>
  Promise.all(
    nodes.map(async (node) => {
      const experiment = await archive.getExperiment(node.id);
      const isItself = experiment !== null && isReference({ campaign }, experiment);
      return {
        ...node,
        gain: experiment === null || isItself ? null : exploredGain(experiment),
        isReference: isItself,
        changed: experiment === null || experiment.kind !== 'candidate' ? '' : changeText(experiment),
      };
    }),
  );

const treeLines = (context: CliContext, campaign: Campaign, nodes: readonly TreeNode[], numAll: number): readonly string[] => {
  const left = numAll - nodes.length;
  return [
    `${campaign.id}, ${campaign.state}: gain in bits per byte over ${campaign.settings.baselines[0] ?? 'the reference'}, ± half its interval`,
    ...(nodes.length === 0 ? ['  nothing tried yet'] : lineageLines(context.look(), nodes)),
    ...(left > 0 ? [`${countText(left)} of ${countText(numAll)} experiments are not shown; --limit ${numAll} shows all`] : []),
  ];
};
