const lines = require("node:readline").createInterface({ input: process.stdin });

lines.on("line", (line) => {
  const { text } = JSON.parse(line);
  console.log(text.split(/\s+/).filter(Boolean).length);
});
