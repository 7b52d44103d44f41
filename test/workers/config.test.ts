import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../workers/config.ts';

const read = (environment: NodeJS.ProcessEnv): string => {
  try {
    readConfig({ ASI_PYTHON: 'python3', ...environment });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no error';
};

describe('readConfig', () => {
  it('says name, value and what would be right, one line a variable', () => {
    expect(read({ ASI_TEMPORAL_PORT: 'abc', ASI_SLOTS: '0' }).split('\n')).toEqual([
      'The environment is not usable:',
      '  ASI_TEMPORAL_PORT: value "abc"; right would be a port, a whole number from 1 to 65535 (7233 if not set)',
      '  ASI_SLOTS: value "0"; right would be how many trials run at the same time, a whole number from 1 to 64 (2 if not set)',
    ]);
  });

  it.each([
    ['ASI_UI_PORT', '70000'],
    ['ASI_UI_PORT', '80.5'],
    ['ASI_IDLE_SECONDS', 'soon'],
    ['ASI_CHECK_SECONDS', '-1'],
    ['ASI_HOME', ''],
    ['TEMPORAL_ADDRESS', ''],
  ])('refuses %s=%j in words of its own', (name, value) => {
    const said = read({ [name]: value });
    expect(said).toContain(`  ${name}: value ${JSON.stringify(value)}; right would be `);
    expect(said.split('\n')).toHaveLength(2);
    expect(said).not.toMatch(/Invalid|expected|Too (small|big)/);
  });

  it('says which variable is missing', () => {
    expect(() => readConfig({})).toThrow('ASI_PYTHON: it is not set; right would be the path of the Python interpreter');
  });

  it('has a default for the rest', () => {
    expect(readConfig({ ASI_PYTHON: 'python3' })).toMatchObject({ temporalPort: 7233, uiPort: 8233, slots: 2, idleSeconds: 60 });
  });
});
