import type { Embedder } from '../../../services/embed/embedder.ts';
import { localEmbedder } from '../../../services/embed/local-embedder.ts';
import { PythonTools } from '../../../services/python/tools.ts';
import { isAlive } from '../../support/process-tree.ts';
import { embedSuite } from '../../support/suites/embed-suite.ts';

embedSuite('MiniLM in the tools process', async () => {
  const toolsOf = new Map<Embedder, PythonTools>();
  return {
    open: async () => {
      const tools = new PythonTools({ python: process.env.ASI_PYTHON ?? 'python3' });
      const embedder = localEmbedder(tools);
      toolsOf.set(embedder, tools);
      return embedder;
    },
    cut: async (embedder) => {
      const tools = toolsOf.get(embedder);
      const pid = tools?.pid;
      if (pid === undefined) throw new Error('there is no process to kill');
      process.kill(pid, 'SIGKILL');
      while (isAlive(pid) || tools?.pid === pid) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
});
