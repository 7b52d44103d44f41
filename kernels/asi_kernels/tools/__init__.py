"""The trusted process that writes programs of genomes and embeds texts. It never runs candidate code."""
