// Prints what the parser finds in an AsyncAPI document, one problem a line.
import { Parser, fromFile } from "@asyncapi/parser";

const parser = new Parser();
const { document, diagnostics } = await fromFile(parser, process.argv[2]).parse();
for (const d of diagnostics) {
  const severity = ["error", "warning", "info", "hint"][d.severity];
  console.log(`${severity} ${d.path.join(".")}: ${d.message}`);
}
if (document === undefined) {
  process.exitCode = 1;
} else {
  console.error(`${document.version()}: ${document.allMessages().length} messages`);
}
