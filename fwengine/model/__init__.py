"""Pure values: fields, packets, boxes, rule sets, `decide`, decision trees. No text, no bytes, no I/O."""
