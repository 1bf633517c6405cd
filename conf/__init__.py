"""The YAML files users choose from. They ship as a package so that Hydra finds them at pkg://conf."""
