package org.apache.polaris.core.admin.model;

/** Stands for a generated class that polaris-core names and no registry has. */
public class StorageConfigInfo {
  public enum StorageTypeEnum {
    S3,
    GCS,
    AZURE,
    FILE
  }
}
