/** Which list a part of a page is about: the live one, or a draft. */
export interface ListPlace {
    /** Empty: the live list. */
    draftId: string;
    /** It may be changed now: by who may manage it, and while no list waits for its confirmation. */
    mayChange: boolean;
    /** Something was changed: how many entries there are, and whether they hold the own address, is to be asked for anew. */
    onChanged: () => void;
}
