import { afterAll, describe, expect, it } from 'vitest';
import { PythonTools } from '../../../services/python/tools.ts';
import { KnownBaselines } from '../../../workers/activities/known-baselines.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import { baselineNames } from '../../../workflows/contracts/genome.ts';

const tools = new PythonTools({ python: process.env.ASI_PYTHON ?? 'python3' });
afterAll(() => tools.close());
const known = new KnownBaselines((name) => tools.emit(baselineGenomes[name], name, `The baseline ${name}.`));

describe('the list of known baselines', { timeout: 60_000 }, () => {
  it('knows each of its own by the genome and by the program, under another name and motivation', async () => {
    for (const name of baselineNames) {
      const genome = baselineGenomes[name];
      expect(await known.nameOf({ genome, program: 'class Mixer: pass' })).toBe(name);
      expect(await known.nameOf({ genome: null, program: await tools.emit(genome, 'found by me', 'A new idea.') })).toBe(name);
    }
  });

  it('knows a file in which only comments, layout and local names were changed', async () => {
    const program = await tools.emit(baselineGenomes['gated-deltanet'], 'mine', 'Mine.');
    const disguised = `# my own\n${program.replaceAll('self.out_proj', 'self.my_projection').replaceAll('\n\n', '\n\n\n')}`;
    expect(await known.nameOf({ genome: null, program: disguised })).toBe('gated-deltanet');
  });

  it('does not take a real difference for one of them', async () => {
    const genome = { ...baselineGenomes.deltanet, fir: [3 as const], router: 'static' as const };
    expect(await known.nameOf({ genome, program: await tools.emit(genome, 'deltanet', 'x') })).toBeNull();
  });

  it('asks again after an outage', async () => {
    let calls = 0;
    const shaky = new KnownBaselines(async (name) => {
      calls += 1;
      if (calls === 1) throw new Error('the tools died');
      return `class Mixer: return "${name}"`;
    });
    await expect(shaky.all()).rejects.toThrow('the tools died');
    expect((await shaky.all()).map(({ id }) => id)).toEqual([...baselineNames]);
  });
});
