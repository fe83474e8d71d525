"""The meta-analysis of 34 studies on salvage against observation."""
