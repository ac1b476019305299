"""The APIs behind Basic auth besides Export: Dashboard REST, cohorts, annotations, taxonomy and others."""
