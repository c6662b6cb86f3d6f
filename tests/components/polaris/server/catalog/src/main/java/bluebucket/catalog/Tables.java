package bluebucket.catalog;

import java.util.Map;
import org.apache.iceberg.jdbc.JdbcCatalog;

/** Tables whose pointers lie in SQLite and whose files are written by Iceberg's S3FileIO, as in Polaris. */
final class Tables {
  private Tables() {}

  static JdbcCatalog open(Settings settings, String database) {
    JdbcCatalog catalog = new JdbcCatalog();
    catalog.initialize(
        settings.name(),
        Map.of(
            "uri", "jdbc:sqlite:file:" + database,
            "jdbc.schema-version", "V1",
            "clients", "1",
            "warehouse", settings.warehouse(),
            "io-impl", "org.apache.iceberg.aws.s3.S3FileIO",
            "s3.endpoint", settings.endpoint(),
            "s3.path-style-access", Boolean.toString(settings.flag("pathStyleAccess")),
            "client.region", settings.text("region")));
    return catalog;
  }
}
