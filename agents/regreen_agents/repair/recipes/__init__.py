"""One file per flaky class: from a finding to options, from an option to edited source."""
