// Validates glTF files with the Khronos validator: node validate.js FILE... prints one JSON array.
const fs = require("fs");
const validator = require("gltf-validator");

Promise.all(
  process.argv.slice(2).map((path) =>
    validator.validateBytes(new Uint8Array(fs.readFileSync(path)), { writeTimestamp: false, maxIssues: 20 })
  )
).then((reports) => console.log(JSON.stringify(reports.map((report) => report.issues))));
