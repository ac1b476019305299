"""The APIs with Basic authentication other than Export: Dashboard REST, cohorts, annotations, taxonomy and others."""
