// `sentrail check-config`: is this file right, and what does it come to?
import { Command } from 'commander';
import { stringify } from 'yaml';
import { detectors } from '../../detectors/index.ts';
import { readConfig } from '../config.ts';
import { makeCatalogue } from '../engine/catalogue.ts';

/** Gives the command. A mistake ends with code 2 and names file, line and the nearest right key. */
export function checkConfigCommand(): Command {
  return new Command('check-config')
    .description(
      'check a configuration file, and print it with its defaults (durations in milliseconds)',
    )
    .argument('<file>', 'configuration (YAML)')
    .action((file: string) => {
      const config = readConfig(file, detectors);
      makeCatalogue(detectors, config);
      process.stdout.write(stringify(config));
      process.stderr.write(`${file} is right\n`);
    });
}
