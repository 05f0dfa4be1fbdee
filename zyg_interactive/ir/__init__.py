"""The intermediate representation: values, operations, regions and their types."""
